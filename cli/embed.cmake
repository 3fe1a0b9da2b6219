# Writes the text file INPUT as the C string `info_script` to OUTPUT.
file(READ ${INPUT} text HEX)
string(REGEX REPLACE "(..)" "0x\\1," bytes "${text}")
file(WRITE ${OUTPUT} "static const char info_script[] = {${bytes}0};\n")
