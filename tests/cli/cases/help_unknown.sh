eryx help inf
