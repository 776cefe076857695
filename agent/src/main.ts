/** The first process of every node. */
process.stdout.write("");
