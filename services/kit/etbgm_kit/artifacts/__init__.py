"""The artifact store, what is remembered in it, and temporary folders."""
