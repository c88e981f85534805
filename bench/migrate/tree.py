"""The tree that is moved, and what changes in it: made outside and piped in, or changed by perl inside, as the workspace's user."""
import io
import random
import subprocess
import tarfile

TOP = "/home/coder/tree"
LARGEST_SHARE = 40  # no file is larger than this share of all


def sizes(random_, total, files):
    """From 100 bytes to some MiB, most of them small."""
    weights = [min(random_.paretovariate(0.9), files / LARGEST_SHARE) for _ in range(files)]
    scale = total / sum(weights)
    return [max(100, int(weight * scale)) for weight in weights]


def content(random_, length):
    """Half of it compressible: every other piece of 4 KiB is text."""
    pieces = []
    for at in range(0, length, 8192):
        pieces.append(random_.randbytes(min(4096, length - at)))
        pieces.append((b"const value = compute(%d);\n" % at) * 160)
    return b"".join(pieces)[:length]


def path_of(number):
    return f"d{number // 400}/d{number // 20 % 20}/file{number}.txt"


def make(container, total, files):
    random_ = random.Random(1)
    subprocess.run(["docker", "exec", "-u", "coder", container, "mkdir", TOP], check=True)
    unpack = subprocess.Popen(["docker", "exec", "-i", "-u", "coder", container, "tar", "-C", TOP, "-x"], stdin=subprocess.PIPE)
    with tarfile.open(fileobj=unpack.stdin, mode="w|", bufsize=1 << 20) as archive:
        for number, length in enumerate(sizes(random_, total, files)):
            entry = tarfile.TarInfo(path_of(number))
            entry.size, entry.mtime, entry.uid, entry.gid = length, 1_700_000_000 + number, 1000, 1000
            archive.addfile(entry, io.BytesIO(content(random_, length)))
    unpack.stdin.close()
    if unpack.wait():
        raise SystemExit("the tree could not be made")


# Arguments: the tree, number of files, how many change, seed, and how long one pass takes (0: one pass at once; else again and again).
CHANGE = r"""
use Time::HiRes qw(sleep time);
my ($top, $files, $count, $seed, $seconds) = @ARGV;
srand($seed);
sub path { my $n = shift; sprintf("%s/d%d/d%d/file%d.txt", $top, int($n / 400), int($n / 20) % 20, $n) }
sub change { my $path = path(shift); open(my $file, '+<', $path) or return 0; seek($file, int(rand(-s $file)), 0);
  print $file join('', map { chr(int(rand(256))) } 1 .. 100); close($file); return 1 }
sub add { my $n = shift; open(my $file, '>', path($n) . ".new$seed") or die $!; print $file "added $seed $n\n" x (1 + int(rand(4000))); close($file) }
if ($seconds > 0) { my @few = map { int(rand($files)) } 1 .. $count; for (;;) { for (@few) { change($_); sleep($seconds / $count) } } }
my $done = 0;
while ($done < $count) {
  my ($n, $kind) = (int(rand($files)), $done % 5);
  if ($kind == 4) { add($n) } elsif ($kind == 3) { unlink(path($n)) or next } else { change($n) or next }
  ++$done;
}
"""


def change(container, files, part, seed, host):
    """Of `part` of the files: three fifths changed, a fifth removed, a fifth added."""
    words = [TOP, files, int(files * part), seed, 0]
    where = ["-H", host] if host else []
    subprocess.run(["docker", *where, "exec", "-u", "coder", container, "perl", "-e", CHANGE, *map(str, words)], check=True)


def keep_changing(container, files, part, seed, seconds):
    """Changes that part of the files again and again, all of it within `seconds`, until it is killed."""
    words = [TOP, files, int(files * part), seed, seconds]
    return subprocess.Popen(["docker", "exec", "-u", "coder", container, "perl", "-e", CHANGE, *map(str, words)], stderr=subprocess.DEVNULL)
