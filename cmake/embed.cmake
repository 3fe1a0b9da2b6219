# Writes the text file INPUT as the C string NAME to OUTPUT.
file(READ ${INPUT} text HEX)
string(REGEX REPLACE "(..)" "0x\\1," bytes "${text}")
file(WRITE ${OUTPUT} "static const char ${NAME}[] = {${bytes}0};\n")
