eryx help help
