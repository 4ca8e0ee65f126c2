"""An emulator of Azure Batch and Blob Storage; it knows nothing of the runner."""
