"""The tours of docs/tours/: their commands are run, and their answers compared."""
