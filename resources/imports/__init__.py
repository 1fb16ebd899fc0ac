"""Files into the platform's tables: opening them, writing what `sync.imports` read, one transaction per file."""
