//! Many at once: a thousand commands by many processes, on few names, never enter a wrong namespace and leave nothing.

use crate::room::Room;

by_everyone!(a_thousand_at_once_on_few_names, of_many_who_make_one_name_one_makes_it);

fn a_thousand_at_once_on_few_names(room: &Room) {
    // Each worker makes, enters and removes names that others work on, too. What exec finds is the name's own host name.
    let user = if room.pins() { "" } else { "-U" };
    room.says(
        &format!(
            "worker() {{
                i=0; while [ $i -lt 14 ]; do
                    n=n$(( ($1 + i) % 7 ))
                    insula ns new {user} -u -n $n --hostname $n 2>>err$1
                    for j in 1 2; do
                        said=$(insula ns exec $n -- cat /proc/sys/kernel/hostname 2>>err$1) && echo entered >>ok
                        [ -z \"$said\" ] || [ \"$said\" = $n ] || echo wrong: $n is $said
                    done
                    insula ns rm $n 2>>err$1; i=$((i + 1))
                done
            }}
            for w in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18; do worker $w & done; wait
            [ $(wc -l <ok) -gt 100 ] || echo hardly entered
            grep -h 'error:' err* | grep -v -e 'another command is at work' -e 'nothing has the name' -e 'is taken'
            insula ns rm --all 2>/dev/null; insula ns gc; clean; echo done"
        ),
        "done\n",
    );
}

fn of_many_who_make_one_name_one_makes_it(room: &Room) {
    room.says(
        "for w in 1 2 3 4 5 6 7 8 9 10 11 12; do (insula ns new -a web 2>/dev/null && echo made >>made) & done; wait
         wc -l <made; inside web uts | grep -c uts; insula ns rm web; clean",
        "1\n1\n",
    );
}
