//! Nothing: this package only names what `build.sh` fetches.
