ew help compar
ew help nonsense
