#!/bin/sh
# The tables of docs/validation.md: 5 models, all strategies, 3 platforms, simulated and executed.
#
#     tools/validation_table.sh PROGRAM [DIR]
#
# Keeps the results in DIR (default: a temporary directory); what is there already is not run again.
# Runs that this machine was too slow for are repeated, and the one that kept up best counts.
# Takes about 40 minutes on an idle machine with two cores. Writes Markdown to standard output.
set -eu
program=$1
dir=${2:-}
if [ -z "$dir" ]; then
    dir=$(mktemp -d)
    trap 'rm -rf "$dir"' EXIT
fi
mkdir -p "$dir"
models=${EW_VALIDATE_MODELS:-alexnet vgg16 resnet18 googlenet mobilenet_v2}
platforms=${EW_VALIDATE_PLATFORMS:-emulated_4 emulated_8 coedge}
attempts=${EW_VALIDATE_ATTEMPTS:-3}
strategies=$("$program" list strategies --json | sed -n 's/.*"id": "\([^"]*\)".*/\1/p')

episodes_of() { # STRATEGY
    [ "$1" != distredge ] || echo "--param episodes=50"
}

# What a plan makes devices do, as one word: the same for plans that differ in names only. Nothing when
# there is no plan, or several to choose from during a run.
plan_key() { # MODEL PLATFORM STRATEGY
    # shellcheck disable=SC2046 # none or two words
    "$program" plan --graph "$1" --platform "$2" --strategy "$3" $(episodes_of "$3") --json --quiet \
        2>/dev/null | awk '
            /"pick":/ { is_one = /"only"/ }
            /^ *"strategy":/ || /^ *"name":/ { next }
            /^ *"(prediction|notes)": [{]/ { depth = 1; if (/[}],?$/) depth = 0; next }
            depth { depth -= /^ *[}],?$/; next }
            { print }
            END { if (!is_one) print "several" }' >"$dir/key"
    tail -n 1 "$dir/key" | grep -q '^several$' || cksum <"$dir/key" | tr ' ' _
}

# Exit code 1 is a wrong answer or a plan that was not executed: the table says so.
validate() { # MODEL PLATFORM STRATEGY DIR DILATION
    # shellcheck disable=SC2046 # none or two words
    [ -f "$4/validation.csv" ] || "$program" validate --graph "$1" --platform "$2" --strategy "$3" \
        --dilation "$5" $(episodes_of "$3") --out "$4" >/dev/null || [ $? -eq 1 ]
}

# Run until the machine keeps up, slower each time; the row of the run that kept up best.
execute() { # MODEL PLATFORM STRATEGY
    one=$dir/$1.$2.$3
    attempt=1
    dilation=0
    while [ "$attempt" -le "$attempts" ]; do
        validate "$1" "$2" "$3" "$one.$attempt" "$dilation"
        row=$(tail -n 1 "$one.$attempt/validation.csv")
        [ "$(echo "$row" | awk -F, '{ print $NF }')" = 1 ] || break
        dilation=$(echo "$row" | awk -F, '{ print 2 * $(NF - 4) }')
        attempt=$((attempt + 1))
    done
    tail -qn 1 "$one".*/validation.csv | awk -F, '
        { lag = $NF * 1e3 + $(NF - 1) + $(NF - 2) }
        NR == 1 || lag < least { least = lag; row = $0 }
        END { print row }'
}

# Strategies whose plans are the same share one execution: the table counts the plans.
for model in $models; do
    for platform in $platforms; do
        : >"$dir/plans"
        for strategy in $strategies; do
            key=$(plan_key "$model" "$platform" "$strategy")
            [ -n "$key" ] || key=of_$strategy
            first=$(awk -v key="$key" '$1 == key { print $2; exit }' "$dir/plans")
            [ -n "$first" ] || echo "$key $strategy" >>"$dir/plans"
            execute "$model" "$platform" "${first:-$strategy}" | awk -v OFS=, \
                -v head="$model,$platform,$key,$strategy" '{ sub(/^[^,]*,/, ""); print head, $0 }'
        done
    done
done >"$dir/all.csv"

awk -F, -v models="$models" -v platforms="$platforms" '
    function abs(x) { return x < 0 ? -x : x }
    function sort(v, n,   i, k, x) {
        for (i = 2; i <= n; i++) {
            x = v[i]
            for (k = i - 1; k >= 1 && v[k] > x; k--) v[k + 1] = v[k]
            v[k + 1] = x
        }
    }
    function percent(x) { return sprintf("%+.2f %%", x) }
    function median(list, key, n,   m, v) {
        for (m = 1; m <= n; m++) v[m] = list[key, m]
        sort(v, n)
        return n ? sprintf("%.2f %%", v[int((n + 1) / 2)]) : "-"
    }
    {
        key = $1 "," $2
        name = $4
        cell[key "," name] = "-"
        seen[name]++ || names[++n_names] = name
        if (NF < 24 || $10 == "") { unable[key]++; next } # an error holds commas and quotes
        error = 100 * ($12 / $10 - 1)
        errors[key, ++n[key]] = abs(error)
        if (!(key "," $3 in plans)) {
            plans[key "," $3]
            plan_errors[key, ++n_plans[key]] = abs(error)
            late[key] += $NF
        }
        if (abs(error) >= abs(worst[key])) { worst[key] = error; by[key] = name }
        energy = $13 > 0 ? 100 * ($15 / $13 - 1) : 0
        if (abs(energy) > abs(worst_energy[key])) worst_energy[key] = energy
        equal[key] += $7 == $6
        near[key] += $7 != $6 && $8 <= ($9 == "" ? 1e9 : $9)
        cell[key "," name] = percent(error) ($NF ? " (late)" : "")
    }
    END {
        n_models = split(models, model, " ")
        n_platforms = split(platforms, platform, " ")
        print "| model | platform | executed | cannot serve | answers equal | within tolerance | latency, median | worst | energy, worst | plans | median of plans | late |"
        print "|---|---|---|---|---|---|---|---|---|---|---|---|"
        for (i = 1; i <= n_models; i++) for (k = 1; k <= n_platforms; k++) {
            key = model[i] "," platform[k]
            printf "| `%s` | `%s` | %d | %d | %d | %d | %s | %s (`%s`) | %s | %d | %s | %d |\n", model[i],
                platform[k], n[key], unable[key], equal[key], near[key], median(errors, key, n[key]),
                percent(worst[key]), by[key], percent(worst_energy[key]), n_plans[key],
                median(plan_errors, key, n_plans[key]), late[key]
        }
        for (i = 1; i <= n_models; i++) {
            printf "\n`%s`, latency of `exec` relative to `simgrid`:\n\n| strategy |", model[i]
            for (k = 1; k <= n_platforms; k++) printf " `%s` |", platform[k]
            printf "\n|---|"
            for (k = 1; k <= n_platforms; k++) printf "---|"
            printf "\n"
            for (s = 1; s <= n_names; s++) {
                printf "| `%s` |", names[s]
                for (k = 1; k <= n_platforms; k++)
                    printf " %s |", cell[model[i] "," platform[k] "," names[s]]
                printf "\n"
            }
        }
    }' "$dir/all.csv"
