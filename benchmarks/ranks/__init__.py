"""Speed of training in several processes connected by MPI, and a model of it for more than were measured."""
