"""What every layer above stands on; knows no capability and no terminal."""
