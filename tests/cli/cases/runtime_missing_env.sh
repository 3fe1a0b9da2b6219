ERYX_RUNTIME=missing.cwasm eryx run -c 'print(1)'
