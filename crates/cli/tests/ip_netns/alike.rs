//! Names and ids: what is printed, byte for byte.

use crate::room::Room;

by_everyone!(
    names_are_listed_with_their_ids,
    ids_are_listed_with_their_names,
    ids_are_those_of_the_namespace_that_is_named,
    a_name_is_a_mount_on_a_file_that_is_shared,
    abbreviations_mean_the_same,
    a_namespace_of_a_process_is_named,
    batches_are_read_alike,
    names_that_are_no_words_are_names,
);

fn names_are_listed_with_their_ids(room: &Room) {
    room.alike(
        "ip netns; echo $?; ip -j netns; echo $?
         mkdir /run/netns; ip -j netns; ip -j -p netns list
         ip netns add a; ip netns add b; ip netns set b 5; echo $?
         ip netns; ip -j netns show; ip -json -pretty netns ls
         ip netns set a auto; ip -j netns",
        "0\n0\n[]\n[ ]\n0\nb (id: 5)\na\n[{\"name\":\"b\",\"id\":5},{\"name\":\"a\"}]\n\
         [ {\n        \"name\": \"b\",\n        \"id\": 5\n    },{\n        \"name\": \"a\"\n    } ]\n\
         [{\"name\":\"b\",\"id\":5},{\"name\":\"a\",\"id\":0}]\n",
    );
}

fn ids_are_listed_with_their_names(room: &Room) {
    room.alike(
        "ip netns add a; ip netns add b; ip netns list-id; ip -j netns list-id
         ip netns set a 12; ip netns set b 13
         ip -n a netns set a 22; ip -n a netns set b 23
         ip netns list-id; ip -j netns list-id; ip -j -p netns list-id nsid 13
         ip netns list-id target-nsid 12; ip -j netns list-id target-nsid 12
         ip netns list-id target-nsid 12 nsid 13; ip netns list-id nsid 12
         ip netns list-id nsid 99; echo $?",
        "[]\nnsid 12 (iproute2 netns name: a)\nnsid 13 (iproute2 netns name: b)\n\
         [{\"nsid\":12,\"name\":\"a\"},{\"nsid\":13,\"name\":\"b\"}]\n\
         [ {\n        \"nsid\": 13,\n        \"name\": \"b\"\n    } ]\n\
         nsid 22 current-nsid 12 (iproute2 netns name: a)\nnsid 23 current-nsid 13 (iproute2 netns name: b)\n\
         [{\"nsid\":22,\"current-nsid\":12,\"name\":\"a\"},{\"nsid\":23,\"current-nsid\":13,\"name\":\"b\"}]\n\
         nsid 23 current-nsid 13 (iproute2 netns name: b)\nnsid 12 (iproute2 netns name: a)\n2\n",
    );
}

fn ids_are_those_of_the_namespace_that_is_named(room: &Room) {
    room.alike(
        "ip netns add a; ip netns add b; ip -n a netns set b 7; ip netns; ip -netns a netns
         ip -n a netns identify; ip -n a -n b netns identify; ip -n a netns list-id; ip netns set b 8
         ip -n none netns; echo $?; ip -n; echo $?",
        "b\na\nb (id: 7)\na\na\nb\nnsid 7 (iproute2 netns name: b)\n255\n255\n",
    );
}

fn a_name_is_a_mount_on_a_file_that_is_shared(room: &Room) {
    // Without the ids of mounts and groups, the numbers of namespaces, and what kernels say of a tmpfs (uid, inode64).
    let shown = "sed -E 's/^[0-9]+ [0-9]+ [0-9:]+ //; s/\\[[0-9]+\\]/[N]/; s/shared:[0-9]+/shared/; s/tmpfs rw,.*/tmpfs rw/'";
    room.alike(
        &format!(
            "umask 0; ip netns add a; ip netns attach b $$; stat -c '%A %n' /run/netns
             ls -A /run/netns; mounts | grep /run/netns | {shown}
             ip netns del a; ip netns del b; ls -A /run/netns; mounts | grep /run/netns | {shown}"
        ),
        "drwxr-xr-x /run/netns\na\nb\n/netns /run/netns rw,relatime shared - tmpfs tmpfs rw\n\
         net:[N] /run/netns/a rw shared - nsfs nsfs rw\nnet:[N] /run/netns/b rw shared - nsfs nsfs rw\n\
         /netns /run/netns rw,relatime shared - tmpfs tmpfs rw\n",
    );
}

fn abbreviations_mean_the_same(room: &Room) {
    let script = "ip netns add a; ip netns set a 3
        for verb in l li lst ls s sh show list list- list-i list-id; do echo \"$verb\"; ip net $verb; echo $?; done
        for verb in x '' lists List list-idx h he; do echo \"$verb\"; ip netns \"$verb\"; echo $?; done
        ip netns a b; ip netns at c $$; ip netns se b 4; ip netns id; ip netns i $$; ip netn e a echo run; ip netns
        ip -a netns exe echo all; ip netns d b; ip netns del c; ip netns; ip -al net dele; ip netns p a; echo $?";
    let ours = room.agree(script);
    assert!(ours.out.contains("run\n") && ours.out.contains("all\n"), "{}", ours.out);
}

fn a_namespace_of_a_process_is_named(room: &Room) {
    let script = "ip netns identify; sleep 60 & pid=$!; ip netns attach me $pid; echo $?
        ip netns identify; ip netns identify $pid; ip netns identify self; echo $?
        ip netns pids me | grep -cx $pid; ip netns add other; ip netns pids other; echo $?
        ip netns exec other sleep 60 & sleep 0.3; ip netns pids other | grep -cx $!
        ip netns identify $!; ip netns attach x 0x7fffffff; echo $?; ip netns; ip netns identify 2147483647; echo $?
        kill $pid $!";
    room.alike(script, "\n0\nme\nme\n1\n1\n0\n1\nother\n1\nother\nme\n1\n");
}

fn batches_are_read_alike(room: &Room) {
    let script = r#"printf 'netns add a # one\n\n# nothing\nnetns \\\n  add "b c"\n net exec a echo "two words" one'"'"'s\n' >file
        ip -batch file; echo $?; ip netns
        printf 'netns exec a false\nnetns add d\n' | ip -b -; echo $?; ip netns
        printf 'netns exec a sh -c "exit 3"\nnetns exec a nope\nnetns add d\nnetns add d\n\nnetns identify\n' >file
        ip -force -batch file 2>err; echo $?; grep '^Command failed' err; ip netns
        printf 'netns add e\nnetns add ..\nnetns add f\n' | ip -fo -b -; echo $?; ip netns
        printf 'netns add "g\n' | ip -batch -; echo $?
        printf 'nothing here\nnetns add g\n' | ip -batch - 2>err; echo $?; grep '^Command failed' err
        ip -batch missing; echo $?; ip -batch; echo $?
        printf 'netns list' | ip -batch - -j"#;
    let ours = room.agree(script);
    assert!(ours.out.contains("two words one's\n0\nb c\na\n"), "{}", ours.out);
    assert!(
        ours.out.contains("Command failed file:1\nCommand failed file:2\nCommand failed file:4\n"),
        "{}",
        ours.out
    );
}

fn names_that_are_no_words_are_names(room: &Room) {
    let long = "x".repeat(255);
    room.alike(
        &format!(
            "for name in -x é 'a b' ... {long}; do ip netns add \"$name\"; echo $?; done
             ip netns | LC_ALL=C sort | cut -c1-5; ip netns exec {long} echo long; ip -all netns delete; echo $?; ls -A /run/netns"
        ),
        "0\n0\n0\n0\n0\n-x\n...\na b\nxxxxx\né\nlong\n0\n",
    );
}
