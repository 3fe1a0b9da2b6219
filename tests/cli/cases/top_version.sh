eryx --version && eryx -V
