"""The emulator's page: what its accounts hold and are asked, shown live in a browser."""
