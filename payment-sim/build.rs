//! Has the contract's code written.

fn main() {
    apigen::generate("payment.api");
}
