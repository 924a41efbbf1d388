// Something for a C++ compiler to chew on; never run.
#include <iostream>
#include <map>
#include <string>

int main() {
    std::map<std::string, int> words;
    for (std::string word; std::cin >> word;) ++words[word];
    for (const auto& [word, count] : words) std::cout << word << ' ' << count << '\n';
}
