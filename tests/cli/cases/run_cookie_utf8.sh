printf '#!/usr/bin/python\n# -*- coding: UTF_8 -*-\nprint("\303\244")\n' > a.py && eryx run a.py
