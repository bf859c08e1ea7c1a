"""The documentation: pages in Markdown whose tables of numbers are read from the code. Built by `make docs`."""
