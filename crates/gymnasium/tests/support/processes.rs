//! What processes there are.

/// The processes of a group that live, as /proc describes them.
pub(crate) fn group(leader: u32) -> Vec<String> {
    let stats = std::fs::read_dir("/proc").unwrap().filter_map(|entry| {
        // After the name in brackets: state, parent, group.
        let stat = std::fs::read_to_string(entry.unwrap().path().join("stat")).ok()?;
        let rest: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
        (rest.first()? != &"Z" && rest.get(2)? == &leader.to_string()).then_some(stat)
    });
    stats.collect()
}
