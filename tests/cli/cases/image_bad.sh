echo '1 / 0' > fails.py
echo 'import sys; sys.exit(0)' > leaves.py
echo 'while True: pass' > endless.py
echo 'x = 1' > good.py
eryx image; echo $?
eryx image make; echo $?
eryx image build; echo $?
eryx image build -o a; echo $?
eryx image build --code good.py; echo $?
eryx image build -o a good.py; echo $?
eryx image build -o a --code nothing.py; echo $?
eryx image build -o a --code fails.py; echo $?
eryx image build -o a --code leaves.py; echo $?
eryx image build -o a --timeout 200ms --code endless.py; echo $?
eryx image build -o /nonexistent/a --code good.py; echo $?
ls
