"""The lab's command line: thin commands over the supervisor's files and the lab's own doors."""
