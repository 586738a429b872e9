"""The ground: communities, buildings, streets, walls and barriers in; atoms, and which of them join, out."""
