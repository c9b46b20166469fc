"""What a person runs: the shell scripts beside this file, and the `patchbay` command."""
