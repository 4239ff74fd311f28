"""Store backends, one file each."""
