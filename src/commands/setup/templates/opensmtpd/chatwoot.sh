# 65 goes to OpenSMTPD as it is, every other failure as 75: try again.
@BINARY@ -c @CONFIG@
case $? in 0) exit 0;; 65) exit 65;; *) exit 75;; esac
