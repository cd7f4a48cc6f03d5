//! Checks the dependencies between crates against the first table of `DESIGN.md`.

use std::{collections::BTreeMap, fs};

use crate::workspace::{self, Crate};

/// The table's header.
const HEAD: &str = "| folder | owns | may use |";

#[test]
fn crates_depend_on_what_their_row_in_the_design_names() {
    let design = fs::read_to_string(workspace::root().join("DESIGN.md")).unwrap();
    let faults = faults(&design, &workspace::crates());
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

/// A row: a folder, and the names in its last cell.
struct Row<'a> {
    folder: &'a str,
    may_use: Vec<&'a str>,
}

fn rows(design: &str) -> Vec<Row<'_>> {
    let table = design.lines().skip_while(|line| *line != HEAD).skip(2).take_while(|line| line.starts_with('|'));
    let rows = table.map(|line| {
        let mut cells = line.trim_matches('|').split('|').map(str::trim);
        let folder = cells.next().unwrap().trim_matches('`').trim_end_matches('/');
        let may_use = cells.next_back().unwrap().split(',').map(str::trim).filter(|name| *name != "-");
        Row { folder, may_use: may_use.collect() }
    });
    rows.collect()
}

/// Returns a crate's name in the last column: `memory` is `engines/memory`.
fn short(folder: &str) -> &str {
    folder.strip_prefix("engines/").unwrap_or(folder)
}

/// Returns the errors in the table or in the crates, one sentence each.
fn faults(design: &str, crates: &[Crate]) -> Vec<String> {
    let rows = rows(design);
    let mut faults = Vec::new();
    if rows.is_empty() {
        faults.push(format!("DESIGN.md has no table that begins with `{HEAD}`"));
    }
    let known = |folder: &str| crates.iter().any(|krate| krate.folder == folder);
    // The previous rows, by their short names.
    let mut above = BTreeMap::new();
    for Row { folder, may_use } in &rows {
        if !known(folder) {
            faults.push(format!("the row `{folder}/` names a folder that has no crate of the workspace: remove it"));
        }
        for name in may_use.iter().filter(|name| **name != "all" && !above.contains_key(*name)) {
            faults.push(format!("the row `{folder}/` names `{name}`, which has no row above it: move one of the two"));
        }
        above.insert(short(folder), *folder);
    }
    for krate in crates {
        let folder = krate.folder.as_str();
        // A crate below a folder whose row says "all" needs no row of its own.
        let row = rows.iter().find(|row| {
            row.folder == folder
                || row.may_use == ["all"] && folder.strip_prefix(row.folder).is_some_and(|rest| rest.starts_with('/'))
        });
        let Some(row) = row else {
            faults.push(format!("`{folder}/` has no row in the table of DESIGN.md: add one"));
            continue;
        };
        if row.may_use == ["all"] {
            continue;
        }
        let allowed: Vec<_> = row.may_use.iter().filter_map(|name| above.get(name).copied()).collect();
        for used in krate.uses.iter().filter(|used| !allowed.contains(&used.as_str())) {
            faults.push(format!(
                "`{folder}/` depends on `{used}/`, which its row in DESIGN.md does not name: remove the dependency, or \
                 add `{}` to the row where it stands above",
                short(used)
            ));
        }
    }
    faults
}

/// Returns the errors of a made-up table for these crates.
fn of(table: &[(&str, &str)], crates: &[(&str, &[&str])]) -> Vec<String> {
    let rows: String = table.iter().map(|(folder, uses)| format!("| `{folder}/` | something | {uses} |\n")).collect();
    let crates: Vec<_> = crates
        .iter()
        .map(|(folder, uses)| Crate {
            folder: (*folder).to_owned(),
            uses: uses.iter().map(|used| (*used).to_owned()).collect(),
            ..Crate::default()
        })
        .collect();
    faults(&format!("# Design\n\n{HEAD}\n|---|---|---|\n{rows}\nText.\n"), &crates)
}

#[test]
fn a_dependency_that_the_row_names_is_in_order() {
    let table = [("abi", "-"), ("engines/memory", "abi"), ("host", "abi, memory"), ("tests", "all")];
    let crates: [(&str, &[&str]); 5] = [
        ("abi", &[]),
        ("engines/memory", &["abi"]),
        ("host", &["engines/memory"]),
        ("tests", &["host"]),
        ("tests/fixtures/evil", &["abi"]),
    ];
    assert_eq!(of(&table, &crates), Vec::<String>::new());
}

#[test]
fn a_dependency_that_the_row_does_not_name_is_a_fault() {
    let faults = of(&[("abi", "-"), ("host", "-")], &[("abi", &[]), ("host", &["abi"])]);
    assert_eq!(faults.len(), 1, "{faults:?}");
    assert!(faults[0].starts_with("`host/` depends on `abi/`"), "{faults:?}");
}

#[test]
fn a_dependency_upwards_is_a_fault_even_where_the_row_names_it() {
    let faults = of(&[("abi", "host"), ("host", "-")], &[("abi", &["host"]), ("host", &[])]);
    assert_eq!(faults.len(), 1, "{faults:?}");
    assert!(faults[0].starts_with("the row `abi/` names `host`, which has no row above it"), "{faults:?}");
}

#[test]
fn a_crate_without_a_row_and_a_row_without_a_crate_are_faults() {
    let faults = of(&[("abi", "-")], &[("engines/abi", &[])]);
    assert_eq!(faults.len(), 2, "{faults:?}");
    assert!(faults[0].starts_with("the row `abi/` names a folder that has no crate"), "{faults:?}");
    assert!(faults[1].starts_with("`engines/abi/` has no row"), "{faults:?}");
}

#[test]
fn a_design_without_the_table_is_a_fault() {
    assert!(faults("# Design\n", &[])[0].starts_with("DESIGN.md has no table"));
}
