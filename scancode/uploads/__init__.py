"""Files that people send in and a worker works off: one way for all of them, whatever the files are for."""
