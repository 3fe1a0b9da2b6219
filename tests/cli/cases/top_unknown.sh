eryx rnu
