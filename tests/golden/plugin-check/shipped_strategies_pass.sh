for plugin in lib/strategies/*.so; do
    case $plugin in
    */distredge.so) set -- --param episodes=8 ;; # it would train for minutes
    */optimal.so) set -- --param evaluations=20 ;; # quicker
    *) set -- ;;
    esac
    "$EW_PROGRAM" plugin-check "$plugin" --plan-limit-s 600 "$@" >out || { cat out; echo "[exit $?]"; }
done
