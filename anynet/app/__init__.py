"""The application: settings, run folders, the command line."""
