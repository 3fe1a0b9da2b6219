eryx help info
