//! What is made of a contract, to the letter. `cargo run -p apigen -- show code FILE` prints it anew.

#[track_caller]
fn assert_golden(name: &str, golden: &str) {
    let path = format!("{}/tests/it/contracts/{name}", env!("CARGO_MANIFEST_DIR"));
    let code = apigen::code(&apigen::load(path).unwrap());
    let pairs = code.lines().zip(golden.lines());
    if let Some((number, (made, kept))) = (1..).zip(pairs).find(|(_, (made, kept))| made != kept) {
        panic!("{name}, line {number} of its code:\n  made {made}\n  kept {kept}");
    }
    assert_eq!(code.lines().count(), golden.lines().count(), "one is longer");
}

#[test]
fn a_contract_that_says_everything() {
    assert_golden("tours.api", include_str!("contracts/tours.golden"));
}

#[test]
fn a_contract_that_says_little() {
    assert_golden("ping.api", include_str!("contracts/ping.golden"));
}

#[test]
fn a_contract_whose_names_rust_has_already() {
    assert_golden("names.api", include_str!("contracts/names.golden"));
}
