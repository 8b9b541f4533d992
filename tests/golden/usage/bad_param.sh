ew run --param depth
ew run --param =3
ew run --param .a=3
