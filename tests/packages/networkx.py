import networkx as nx

g = nx.Graph()
g.add_weighted_edges_from([("a", "b", 4), ("a", "c", 1), ("c", "b", 2), ("b", "d", 5), ("e", "f", 1)])
print(nx.shortest_path(g, "a", "d", weight="weight"), nx.dijkstra_path_length(g, "a", "d"))
print(sorted(map(sorted, nx.connected_components(g))), nx.degree_histogram(g), nx.is_bipartite(g))
print(sorted(nx.minimum_spanning_edges(g, data=False)), nx.density(g))
d = nx.DiGraph([(1, 2), (2, 3), (1, 3), (3, 4)])
print(list(nx.topological_sort(d)), nx.is_directed_acyclic_graph(d), nx.dag_longest_path(d), list(nx.simple_cycles(d)))
p = nx.petersen_graph()
print(p.number_of_edges(), nx.diameter(p), nx.is_planar(p), nx.node_connectivity(p), len(nx.max_weight_matching(p)))
print(nx.maximum_flow_value(nx.DiGraph([("s", "a", {"capacity": 3}), ("a", "t", {"capacity": 2})]), "s", "t"))
print(sorted(nx.greedy_color(nx.cycle_graph(5)).values()), nx.average_clustering(nx.karate_club_graph()).__round__(6))
print([sorted(c) for c in nx.community.greedy_modularity_communities(nx.barbell_graph(4, 0))])
r = nx.gnp_random_graph(20, 0.2, seed=7)
print(r.number_of_edges(), sorted(nx.core_number(r).values())[-3:], nx.to_dict_of_lists(nx.path_graph(3)))
print("\n".join(nx.generate_adjlist(nx.star_graph(3))), nx.parse_edgelist(["1 2", "2 3"], nodetype=int).edges)
try:
    nx.shortest_path(g, "a", "f")
except nx.NetworkXNoPath as error:
    print(error)
import bz2
import io
nx.write_edgelist(nx.path_graph(4), "/tmp/edges.bz2", data=False)  # networkx compresses by the name
print(bz2.open("/tmp/edges.bz2").read(), nx.read_edgelist("/tmp/edges.bz2", nodetype=int).number_of_nodes())
