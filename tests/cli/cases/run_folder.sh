mkdir d && eryx run d
