unset KEY
eryx run --secret KEY:api.example.org -c 1; echo $?
eryx run --secret KEY -c 1; echo $?
eryx run --secret KEY=short:api.example.org -c 1; echo $?
eryx run --secret KEY=value-that-is-long-enough:https://api.example.org -c 1; echo $?
eryx run --secret KEY@missing.txt:api.example.org -c 1; echo $?
eryx run --secret-cleartext KEY -c 1; echo $?
eryx run --tls-ca missing.pem -c 1; echo $?
echo nothing > empty.pem
eryx run --tls-ca empty.pem -c 1; echo $?
