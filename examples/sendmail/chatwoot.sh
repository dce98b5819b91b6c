# 65 goes to Sendmail as it is, every other failure as 75: try again.
/usr/bin/ingress -c /etc/ingress.toml "$@"
case $? in 0) exit 0;; 65) exit 65;; *) exit 75;; esac
