//! `exec`: what a program sees of a namespace.

use crate::room::Room;

by_everyone!(
    a_program_sees_the_devices_and_the_settings_of_the_namespace,
    what_cannot_be_put_over_is_told_and_no_more,
    a_program_is_this_process,
    all_are_called_whatever_the_program_says,
    a_program_that_a_signal_ends_does_not_keep_the_others,
    nothing_of_it_is_seen_outside,
    one_namespace_is_entered_after_another,
    a_plan_is_shown_and_not_performed,
    a_link_to_a_process_is_a_name,
);

fn a_program_sees_the_devices_and_the_settings_of_the_namespace(room: &Room) {
    room.alike(
        "mkdir -p /etc/netns/a/d /etc/d; echo own >/etc/netns/a/hosts; echo deep >/etc/netns/a/d/f
         ln -s /run/place/target /etc/link; echo old >target; echo new >/etc/netns/a/link
         ip netns add a; ip link add outside type dummy 2>/dev/null
         ip netns exec a sh -c 'ls /sys/class/net; cat /etc/hosts /etc/d/f /etc/link target; head -c 5 /etc/passwd; exit 7'
         echo $?; cat /etc/hosts /etc/link
         ip netns exec a sh -c 'grep \" /sys \" /proc/self/mountinfo | tail -n 1 | cut -d\" \" -f4-6,7-'
         echo word | ip netns exec a cat; ip netns exec a nope; echo $?; ip netns exec a /etc/hosts; echo $?
         ip netns exec none true; echo $?",
        "lo\nown\ndeep\nnew\nnew\nroot:7\nmachine\nold\n/ /sys rw,relatime - sysfs a rw\nword\n1\n1\n255\n",
    );
}

fn what_cannot_be_put_over_is_told_and_no_more(room: &Room) {
    let script =
        "mkdir -p /etc/netns/a/hosts /etc/netns/a/nowhere; echo own >/etc/netns/a/group; ip netns add a
        ip netns exec a cat /etc/hosts /etc/group; echo $?";
    room.alike(script, "machine\nown\n0\n");
    let ours = room.ours(script);
    let lines: Vec<&str> = ours.err.lines().collect();
    assert_eq!(lines.len(), 2, "{}", ours.err);
    for (file, why) in
        [("hosts", "one is a directory and the other is not"), ("nowhere", "there is nothing of that name")]
    {
        let line = format!("ip: warning: put `/etc/netns/a/{file}` over `/etc/{file}`: {why}");
        assert!(lines.iter().any(|told| told.starts_with(&line)), "{}", ours.err);
    }
}

fn a_program_is_this_process(room: &Room) {
    let same = "ip netns add a; sh -c 'echo $$; exec ip netns exec a sh -c \"echo \\$\\$\"' | uniq | wc -l
         A=1 ip netns exec a sh -c 'echo $A'; ls /proc/self/fd 3</dev/null >out; ip netns exec a ls /proc/self/fd 3</dev/null | cmp - out; echo $?
         ip netns exec a sh -c 'kill -9 $$'; echo $?";
    room.alike(same, "1\n1\n0\n137\n");
}

fn all_are_called_whatever_the_program_says(room: &Room) {
    room.alike(
        "ip -all netns exec true; echo $?; ip netns add a; ip netns add b; ip netns add c; echo sees >seen
         ip -all netns exec sh -c 'ip netns identify; test \"$(ip netns identify)\" != b'; echo $?
         ip -a netns exec nope; echo $?; ip -a netns exec; echo $?; ip netns exec; echo $?; ip netns exec a; echo $?",
        "0\n\nnetns: c\nc\n\nnetns: b\nb\n\nnetns: a\na\n0\n\nnetns: c\n\nnetns: b\n\nnetns: a\n0\n1\n1\n1\n",
    );
}

/// `ip` ends there, with the same code; its manual promises that it goes on.
fn a_program_that_a_signal_ends_does_not_keep_the_others(room: &Room) {
    let ours = room.ours("ip netns add a; ip netns add b; ip -all netns exec sh -c 'kill -9 $$'; echo $?");
    assert_eq!(ours.out, "\nnetns: b\n\nnetns: a\n1\n");
    assert_eq!(ours.err.matches("was ended by signal 9").count(), 2, "{}", ours.err);
}

fn nothing_of_it_is_seen_outside(room: &Room) {
    room.alike(
        "ip netns add a; mkdir -p /etc/netns/a; echo own >/etc/netns/a/hosts; mount --make-rshared /
         cp /proc/self/mountinfo before; net=$(readlink /proc/self/ns/net)
         ip netns exec a mount -t tmpfs tmpfs /run/place; ls; cmp before /proc/self/mountinfo
         ip netns add b; printf 'netns exec a true\nnetns add c\nnetns exec c true\nnetns identify\n' | ip -batch -
         test \"$net\" = \"$(readlink /proc/self/ns/net)\"; echo $?",
        "before\n\n0\n",
    );
}

fn one_namespace_is_entered_after_another(room: &Room) {
    room.alike(
        "mkdir -p /etc/netns/a /etc/netns/b; echo of-a >/etc/netns/a/hosts; echo of-b >/etc/netns/b/group
         echo of-a >/etc/netns/a/group; ip netns add a; ip netns add b
         ip -n a netns exec b sh -c 'cat /etc/hosts /etc/group; ip netns identify'
         ip -n a -n b netns exec a cat /etc/group; ip -n none netns exec a true; echo $?",
        "of-a\nof-b\nb\nof-a\n255\n",
    );
    // `ip` mounts the name where nobody sees it.
    let ours = room.ours("ip netns add a; ip -n a netns add c; ip netns; ip netns exec c echo seen");
    assert_eq!(ours.out, "c\na\nseen\n", "{}", ours.err);
}

fn a_plan_is_shown_and_not_performed(room: &Room) {
    let ours = room.ours(
        "mkdir -p /etc/netns/a; echo own >/etc/netns/a/hosts; ip netns add a
         netns --explain exec a touch made; netns exec --explain=json a touch made | grep -c '\"step\"'; ls
         netns exec --explain none true; echo $?",
    );
    let steps = [
        "enter the net namespace `/run/netns/a`",
        "move into new namespaces: mnt",
        "make every mount a slave",
        "mount a new sysfs in place of the one on /sys",
        "put `/etc/netns/a/hosts` over `/etc/hosts`",
        "become the program `touch`",
    ];
    for (at, step) in steps.iter().enumerate() {
        assert!(ours.out.contains(&format!("{:>4} child   {step}", at + 1)), "{step}\n{}", ours.out);
    }
    assert!(ours.out.ends_with("\n6\n255\n"), "{}", ours.out);
}

fn a_link_to_a_process_is_a_name(room: &Room) {
    room.alike(
        "ip netns add a; ip netns exec a sleep 60 & sleep 0.3; ln -s /proc/$!/ns/net /run/netns/process
         ip netns exec process ip netns identify $$; ip netns pids process | grep -cx $!
         ip netns del process; echo $?; ip netns; ip netns pids a | grep -cx $!; kill $!",
        "\n1\n0\na\n1\n",
    );
}
