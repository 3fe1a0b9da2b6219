eryx info --runtime missing.cwasm
