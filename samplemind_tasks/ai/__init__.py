"""Pure model code: windows in, vectors and tags out. Importing this package alone loads no model library."""
