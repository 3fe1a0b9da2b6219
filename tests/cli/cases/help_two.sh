eryx help run info
