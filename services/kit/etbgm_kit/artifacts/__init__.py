"""The artifact store, the results cached in it, and temporary folders."""
