"""The networks, and how a jet becomes their input."""
