printf '#!/bin/x\n#coding:cp1252\nx="\344"\n' > a.py && eryx run a.py
