// Loads the plugin and says what it said.
#include <dlfcn.h>

#include <iostream>

int main(int, char** words) {
  void* plugin = dlopen(words[1], RTLD_NOW | RTLD_LOCAL);
  if (plugin == nullptr) return std::cerr << dlerror() << "\n", 2;
  auto count = reinterpret_cast<int (*)(const char*, char*, unsigned long)>(dlsym(plugin, "countInstances"));
  char reason[500] = "";
  int instances = count("http://127.0.0.1:1", reason, sizeof reason);
  std::cerr << reason << "\n";
  return instances < 0 ? 1 : 0;
}
