"""The page of a comparison: one HTML file that holds its data and asks no network for anything."""
