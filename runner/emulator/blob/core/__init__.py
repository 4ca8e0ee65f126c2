"""What Blob Storage keeps and how it changes, free of HTTP."""
