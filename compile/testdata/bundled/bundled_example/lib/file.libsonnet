{ of: importstr '../data.txt' }
