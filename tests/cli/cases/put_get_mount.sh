mkdir box; echo one > box/one; echo new > new
eryx run --mount box:/box:rw --put new:/box/put --get /box/one:got -c 'print(sorted(__import__("os").listdir("/box")))'
cat got box/put
eryx run --mount box:/box --put new:/box/other -c 1; echo $?
eryx run --mount box:/box:overlay --put new:/box/one --get /box:all -c 'print(open("/box/one").read())'; cat box/one all/one; ls all
