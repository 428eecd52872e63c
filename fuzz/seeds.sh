#!/usr/bin/env bash
# Fills fuzz/corpus from Rails applications (`fuzz/seeds.sh FOLDER…`), from the specs of the checks and, for the
# target `import`, from reports of other tools (`REPORTS=FOLDER fuzz/seeds.sh …`).
# Nothing of it is committed.
set -euo pipefail
cd "$(dirname "$0")"

# Larger files only make each run slower.
limit=12k
number=0

# seed TARGET SETUP FILE: a copy under a number, after the byte that sets the target up.
seed() {
    number=$((number + 1))
    { printf '%s' "$2"; cat "$3"; } >"corpus/$1/seed-$number"
}

# every TARGET SETUP SHARE FOLDER PATTERN: one file in SHARE, so that no application fills the corpus.
every() {
    local target=$1 setup=$2 share=$3 folder=$4 pattern=$5 at=0
    while IFS= read -r file; do
        at=$((at + 1))
        if [ $((at % share)) -eq 0 ]; then seed "$target" "$setup" "$file"; fi
    done < <(find "$folder" -type f -size "-$limit" -path "$pattern" -not -path '*/node_modules/*' | sort)
}

mkdir -p corpus/{ruby,erb,haml,slim,routes,schema,gemfile_lock,config,app,import}
for folder in "$@"; do
    every ruby '' 8 "$folder" '*/app/*.rb'
    every ruby '' 20 "$folder" '*/lib/*.rb'
    every erb '@' 4 "$folder" '*.erb'
    every haml '@' 2 "$folder" '*.haml'
    every slim '@' 1 "$folder" '*.slim'
    every routes '@' 1 "$folder" '*/config/routes*.rb'
    every routes 'A' 1 "$folder" '*/config/routes*.rb'
    every schema '' 10 "$folder" '*/db/migrate/*.rb'
    every schema '' 1 "$folder" '*/db/*_schema.rb'
    every gemfile_lock '' 1 "$folder" '*/Gemfile*'
    every gemfile_lock '' 1 "$folder" '*.gemspec'
    every config '' 1 "$folder" '*/config/application.rb'
    every config '' 1 "$folder" '*/config/environments/*.rb'
    every config '' 1 "$folder" '*/config/initializers/*.rb'
    # The large ones, cut short: what is cut in the middle is of use as well.
    while IFS= read -r file; do
        number=$((number + 1))
        case $file in
            *routes*) target=routes ;;
            *.lock) target=gemfile_lock ;;
            *) target=schema ;;
        esac
        { if [ "$target" = routes ]; then printf '@'; fi; head -c 8000 "$file"; } >"corpus/$target/seed-$number"
    done < <(find "$folder" -maxdepth 3 -size "+$limit" \( -path '*/db/schema.rb' -o -path '*/db/structure.sql' -o -path '*/config/routes.rb' -o -name Gemfile.lock \))
done

# Reports of other tools, read as what they are. They are in a folder of their own: REPORTS=FOLDER.
if [ -n "${REPORTS:-}" ]; then every import $'\377' 1 "$REPORTS" '*'; fi

# Few applications use Slim.
for file in seeds/slim/*; do seed slim '@' "$file"; done

# Each section of a spec is a small application.
for spec in ../crates/sast/specs/*.md; do
    awk -v stem="corpus/app/$(basename "$spec" .md)" '
        function leave() { if (out != "") close(out); out = "" }
        /^## / { leave(); section++; next }
        /^```/ { inside = !inside; if (inside && NF > 1) { out = stem "-" section; print "=== " $2 >out } else inside = inside && NF > 1; next }
        inside { print >out }
    ' "$spec"
done
for target in corpus/*; do printf '%s: %s files\n' "$target" "$(find "$target" -type f | wc -l)"; done
