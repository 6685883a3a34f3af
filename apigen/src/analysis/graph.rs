//! Which nodes of a graph can reach each other.

/// The component of each node: two of them have the same one where each can be reached from the other. `edges[n]` are
/// the nodes that `n` leads to. There is no recursion: contracts can be long.
pub(super) fn components(edges: &[Vec<usize>]) -> Vec<usize> {
    let mut backwards = vec![Vec::new(); edges.len()];
    for (from, targets) in edges.iter().enumerate() {
        for &to in targets {
            backwards[to].push(from);
        }
    }
    // Kosaraju: what is reached backwards from the node that was left last is a component.
    let mut component = vec![usize::MAX; edges.len()];
    for root in order_of_leaving(edges).into_iter().rev() {
        let mut open = vec![root];
        while let Some(node) = open.pop() {
            if component[node] == usize::MAX {
                component[node] = root;
                open.extend(&backwards[node]);
            }
        }
    }
    component
}

fn order_of_leaving(edges: &[Vec<usize>]) -> Vec<usize> {
    let mut entered = vec![false; edges.len()];
    let mut order = Vec::with_capacity(edges.len());
    for root in 0..edges.len() {
        if entered[root] {
            continue;
        }
        entered[root] = true;
        let mut open = vec![(root, 0)];
        while let Some((node, next)) = open.last_mut() {
            match edges[*node].get(*next) {
                Some(&target) => {
                    *next += 1;
                    if !entered[target] {
                        entered[target] = true;
                        open.push((target, 0));
                    }
                }
                None => {
                    order.push(*node);
                    open.pop();
                }
            }
        }
    }
    order
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn those_that_reach_each_other_are_one_component() {
        // 0 → 1 → 2 → 0, 2 → 3 → 4 → 3, 5
        let component = components(&[vec![1], vec![2], vec![0, 3], vec![4], vec![3], vec![]]);
        assert!(component[0] == component[1] && component[1] == component[2]);
        assert!(component[3] == component[4] && component[3] != component[0]);
        assert!(component[5] != component[0] && component[5] != component[3]);
    }
}
