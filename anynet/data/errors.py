"""What can go wrong with data; each message is one line that names the file and says what to do."""


class DataError(ValueError):
    """Data is missing, damaged, or not of the form it should be."""


class DownloadError(OSError):
    """A download could not be started or finished."""
