"""A small sample library to listen to: forty synthesised sounds in folders as a producer keeps them, with the truth."""
